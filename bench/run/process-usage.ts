import { readdirSync, readFileSync } from 'node:fs'

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * Processor time of all threads of a process so far, µs: from the scheduler's own count in ns where the kernel keeps it,
 * else from ticks of 10 ms; undefined where there is no /proc.
 */
export function processorTime(pid: number): number | undefined {
  let nanoseconds = 0
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      // A thread may end between the list and the look.
      const text = read(`/proc/${pid}/task/${thread}/schedstat`)
      if (text !== undefined) nanoseconds += Number(text.split(' ')[0])
    }
  } catch {
    return undefined
  }
  if (nanoseconds > 0) return nanoseconds / 1_000
  // Fields 14 and 15 of proc(5); the name before them may hold anything.
  const fields = read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')
  return fields && (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** Resident memory of a process, bytes; undefined where there is no /proc. */
export function residentBytes(pid: number): number | undefined {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024
}
