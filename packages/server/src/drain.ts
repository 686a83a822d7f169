import type { Context } from './context.js'
import type { Peer } from './session-registry.js'

/** The parts of a drain, as shares of its time: with 25 s, 2 s for sends, 5 s for commits, the rest for the waves. */
const TAKE_SHARE = 2 / 25
const COMMIT_SHARE = 5 / 25
const WAVE_SHARE = 10 / 25
const LAST_SHARE = 1 / 25
const POLL_MS = 50
const WAVE_MS = 100

/**
 * Ends a server without a lie to anybody: says so, takes sends for a moment more, waits for what is on its way to the
 * store, closes 1012 in waves so that not all come back at once, and terminates who has not gone by then.
 *
 * @param totalMs an upper bound; 0 ends at once, which is as safe as kill -9 and no safer
 */
export async function drain(context: Context, totalMs: number): Promise<void> {
  const { registry, runtime, queue, backlogs } = context
  const sleep = (ms: number) => new Promise<void>((resolve) => runtime.setTimer(resolve, ms))
  /** Waits until `done`, but not longer than a share of the time. */
  const until = async (done: () => boolean, share: number) => {
    const end = runtime.monotonic() + totalMs * share
    while (!done() && runtime.monotonic() < end) await sleep(Math.min(POLL_MS, end - runtime.monotonic()))
  }
  const alone = () => registry.size === 0

  for (const peer of registry.everybody()) peer.drain(Math.round(totalMs * WAVE_SHARE))
  await until(alone, TAKE_SHARE)
  context.takesSends = false
  for (const backlog of backlogs) backlog.hurry()
  await until(() => queue.size === 0 && backlogs.size === 0, COMMIT_SHARE)
  await closeInWaves(registry.everybody(), totalMs * WAVE_SHARE, sleep)
  await until(alone, LAST_SHARE)
  for (const peer of registry.everybody()) peer.terminate()
}

async function closeInWaves(peers: readonly Peer[], ms: number, sleep: (ms: number) => Promise<void>): Promise<void> {
  const waves = Math.max(1, Math.floor(ms / WAVE_MS))
  const size = Math.max(200, Math.ceil(peers.length / waves))
  for (let start = 0; start < peers.length; start += size) {
    for (const peer of peers.slice(start, start + size)) peer.close(1012, 'the server restarts')
    if (start + size < peers.length) await sleep(WAVE_MS)
  }
}
