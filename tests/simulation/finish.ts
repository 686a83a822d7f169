import type { World } from './world.js'

/** Faults stopped 45 s ago: everybody must have everything. */
export function finish(world: World): void {
  const { ledger, views, wire, verdict, journal, plan, devices } = world
  const conversationsOf = (user: string) =>
    plan.conversations.filter(({ id, members }) => members.includes(user) && !wire.closed.has(id)).map(({ id }) => id)
  ledger.finish(journal.stable.logs, (user) => devices.filter((device) => device.user === user).length === 1)
  const live = world.tabs.filter((tab) => tab.run).flatMap((tab) => [tab.saved, tab.run!.plain])
  views.finish(live, conversationsOf)
  wire.finish()
  for (const device of devices)
    for (const conversation of conversationsOf(device.user)) {
      const head = ledger.head(conversation)
      const delivered = wire.delivered(conversation, device.user)
      if (delivered !== head)
        verdict.fail('I8', `${device.host}: ${delivered} of ${head} in ${conversation} are marked as delivered`)
    }
}

/** Everybody leaves. Answers with the check that nothing of them is left. */
export function leave(world: World): () => void {
  const { verdict, server } = world
  const runs = world.tabs.flatMap((tab) => (tab.run ? [tab.run] : []))
  for (const tab of world.tabs) void tab.close()
  for (const { client } of world.legacy) client.close()
  const serverRun = server.run
  let closed = false
  world.clock.setTimer(() => {
    if (serverRun && serverRun.core.connections() > 0)
      verdict.fail('I14', `${serverRun.core.connections()} connections are left though everybody has left`)
    // Timers are checked at the end, and rates recover in their own time.
    for (const [kind, size] of Object.entries(serverRun?.core.sizes ?? {}))
      if (size > 0 && kind !== 'timers' && kind !== 'rates')
        verdict.fail('I14', `${size} ${kind} are left though everybody has left`)
    void serverRun?.core.close({ drainMs: 1_000 }).then(() => {
      closed = true
    })
  }, 35_000)
  return () => {
    for (const { process } of runs)
      if (process.pendingTimers > 0) verdict.fail('I14', `${process.name} has ${process.pendingTimers} timers left`)
    if (!serverRun) return
    if (!closed) verdict.fail('I14', 'the server did not close')
    const timers = serverRun.process.pendingTimers
    if (timers > 0) verdict.fail('I14', `${serverRun.process.name} has ${timers} timers left`)
  }
}
