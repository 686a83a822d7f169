import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** The calls that are traced: all by which SQLite and Node write and sync. */
const CALLS = ['fsync', 'fdatasync', 'write', 'writev', 'sendto', 'sendmsg', 'pwrite64']

/** `strace` as a command to run a server under, with all that it needs to write a trace that can be read here. */
export const straceTo = (file: string): string[] => [
  ...['strace', '-f', '-yy', '-xx', '-s', '1000000', '-o', file, '-e', `trace=${CALLS.join(',')}`],
  // So that no write goes around the traced calls.
  ...['-E', 'UV_USE_IO_URING=0'],
]

/** One call of the traced process, in the order in which calls began; a sync is told again when it has succeeded. */
export type Call =
  | { do: 'write'; to: string; bytes: string }
  | { do: 'sync'; to: string; thread: string }
  | { do: 'synced'; to: string; thread: string }

const decode = (hex: string) => Buffer.from(hex.replaceAll('\\x', ''), 'hex').toString('latin1')
const plain = (path: string) => (path.startsWith('\\x') ? decode(path) : path)

/** Reads a trace line by line. Bytes are given as Latin-1 text, one character per byte. */
export async function* readTrace(file: string): AsyncGenerator<Call> {
  const syncing = new Map<string, string>()
  for await (const line of createInterface({ input: createReadStream(file, 'latin1') })) {
    const [, thread = '', call = '', rest = ''] = /^(\d+) +(\w+)\(\d+<(.*)$/.exec(line) ?? []
    if (call === 'fsync' || call === 'fdatasync') {
      const to = plain(rest.slice(0, rest.indexOf('>')))
      yield { do: 'sync', to, thread }
      if (rest.endsWith('<unfinished ...>')) syncing.set(thread, to)
      else if (rest.endsWith(' = 0')) yield { do: 'synced', to, thread }
    } else if (call !== '') {
      // A socket is named with both of its ends, `TCP:[a->b]`, so the name ends before the comma.
      const to = plain(rest.slice(0, rest.indexOf('>, ')))
      const strings = rest.slice(rest.indexOf('>, ')).match(/"[^"]*"/g) ?? []
      yield { do: 'write', to, bytes: strings.map((text) => decode(text.slice(1, -1))).join('') }
    } else {
      const [, resumed = '', result] = /^(\d+) +<\.\.\. f\w*sync resumed>.* = (-?\d+)/.exec(line) ?? []
      const to = syncing.get(resumed)
      if (to === undefined) continue
      syncing.delete(resumed)
      if (result === '0') yield { do: 'synced', to, thread: resumed }
    }
  }
}
