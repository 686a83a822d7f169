import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { KithwireError, newId, systemRuntime } from '@kithwire/protocol'

/** What the system tells of a process: when it was started, in ticks since the boot, and whether it has ended. */
async function look(pid: number): Promise<{ start: string; ended: boolean }> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The name of the program, in parentheses, may hold anything; fields 3 and 22 are behind it (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie is over, and has its number until somebody asks what became of it.
    return { start: fields[19] ?? '', ended: /^[ZX]/.test(fields[0] ?? '') }
  } catch {
    return { start: '', ended: false }
  }
}

const describe = async (pid: number) => `${pid} ${(await look(pid)).start}`

/** Whether the process that wrote this into a lock still runs. */
async function runs(owner: string): Promise<boolean> {
  const pid = Number(owner.split(' ')[0])
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  // Its number may have been another one's before.
  const { start, ended } = await look(pid)
  return !ended && (start === '' || owner === `${pid} ${start}`)
}

/**
 * Takes a file as a lock between processes. One that a dead process has left is taken over.
 *
 * @returns a function that gives it back
 * @throws KithwireError `bad_state` when another process has it, or this one
 */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const own = await describe(process.pid)
  const mine = `${path}.${newId(systemRuntime)}`
  await writeFile(mine, own)
  try {
    for (;;) {
      try {
        // Unlike a rename, this fails where there is one.
        await link(mine, path)
        return () => rm(path, { force: true })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const owner = await readFile(path, 'utf8').catch(() => undefined)
      if (owner === undefined) continue
      if (await runs(owner)) {
        const who = owner === own ? 'this process' : `process ${owner.split(' ')[0]}`
        throw new KithwireError('bad_state', `${path}: expected a store that nobody uses, came one that ${who} uses.`)
      }
      await takeOver(path, owner, `${mine}.dead`)
    }
  } finally {
    await rm(mine, { force: true })
  }
}

/** Removes the lock of a dead process, unless somebody else was faster and has the lock by now. */
async function takeOver(path: string, dead: string, aside: string): Promise<void> {
  await rename(path, aside).catch(() => {})
  const moved = await readFile(aside, 'utf8').catch(() => dead)
  // Theirs: put it back.
  if (moved !== dead) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}
