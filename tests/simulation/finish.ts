import { isCountable } from '@kithwire/protocol'
import type { Device } from './device.js'
import type { ServerRun } from './server-host.js'
import type { World } from './world.js'

/** Faults stopped 45 s ago: everybody must have everything. */
export function finish(world: World): void {
  const { ledger, views, wire, verdict, journal, plan, devices } = world
  const conversationsOf = (user: string) =>
    plan.conversations.filter(({ id, members }) => members.includes(user) && !wire.closed.has(id)).map(({ id }) => id)
  // A device whose server was not told that a conversation is open again after a block hears of it at its next hello, or
  // by its next entry: a known limit of a bus that loses hints. Of one that is new to it, it hears by the next look.
  const blocks = world.faults.block !== undefined
  const heardBy = (user: string) => conversationsOf(user).filter((id) => !(blocks && world.bus?.unheard.has(id)))
  ledger.finish(journal.stable.logs, (user) => devices.filter((device) => device.user === user).length === 1)
  const live = world.tabs.filter((tab) => tab.run).flatMap((tab) => [tab.saved, tab.run!.plain])
  views.finish(live, heardBy)
  wire.finish()
  for (const device of devices) if (device.tabs.some((tab) => tab.run)) countUnread(world, device, heardBy(device.user))
  // The same goes for a mark that was told during a block: it is told again when the device hears of the unblock.
  for (const device of devices)
    for (const conversation of heardBy(device.user)) {
      const head = ledger.head(conversation)
      const delivered = wire.delivered(conversation, device.user)
      if (delivered !== head)
        verdict.fail('I8', `${device.host}: ${delivered} of ${head} in ${conversation} are marked as delivered`)
    }
}

/** What a device says that is unread is what the log has above what was seen there. */
function countUnread(
  { journal, ledger, verdict }: World,
  { host, user, storage }: Device,
  conversations: readonly string[],
): void {
  const open = new Set(conversations)
  for (const { conversation, seen, unread } of storage.states()) {
    // What retention takes does not count for the server, and does for who had it before, or when a backup has it again.
    if (!open.has(conversation) || ledger.passed(conversation) > 1) continue
    const above = journal.stable.log(conversation).slice(seen)
    const expected = above.filter(({ from, type }) => from !== user && isCountable(type)).length
    if (unread !== expected)
      verdict.fail('I8', `${host}: ${unread} of ${expected} above ${seen} in ${conversation} count as unread`)
  }
}

/** Everybody leaves. Answers with the check that nothing of them is left. */
export function leave(world: World): () => void {
  const { verdict, servers } = world
  const runs = world.tabs.flatMap((tab) => (tab.run ? [tab.run] : []))
  for (const tab of world.tabs) void tab.close()
  for (const { client } of world.legacy) client.close()
  const serverRuns = servers.flatMap(({ run }) => (run ? [run] : []))
  const closed = new Set<ServerRun>()
  world.clock.setTimer(() => {
    for (const run of serverRuns) {
      const { core } = run
      if (core.connections() > 0)
        verdict.fail('I14', `${core.connections()} connections are left though everybody has left`)
      // Timers are checked at the end, and rates recover in their own time.
      for (const [kind, size] of Object.entries(core.sizes))
        if (size > 0 && kind !== 'timers' && kind !== 'rates')
          verdict.fail('I14', `${size} ${kind} are left though everybody has left`)
      void core.close({ drainMs: 1_000 }).then(() => closed.add(run))
    }
  }, 35_000)
  return () => {
    for (const { process } of runs)
      if (process.pendingTimers > 0) verdict.fail('I14', `${process.name} has ${process.pendingTimers} timers left`)
    for (const run of serverRuns) {
      if (!closed.has(run)) verdict.fail('I14', `${run.process.name} did not close`)
      const timers = run.process.pendingTimers
      if (timers > 0) verdict.fail('I14', `${run.process.name} has ${timers} timers left`)
    }
  }
}
