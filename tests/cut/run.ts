import type { MemoryClientStore } from '@kithwire/client'
import type { Store, WsRouter } from '@kithwire/server'
import { chaosProxy } from '@kithwire/server/testing'
import type { LogEntry } from '../faults/oracle.js'
import { Device, type Stage } from './device.js'
import type { Cut, Outcome, Size } from './plan.js'
import { type Cast, playSession } from './session.js'
import type { Ticker } from './ticker.js'
import { verdict } from './verdict.js'

/** Turns of the event loop for which she may be away. */
const MOST_TURNS_AWAY = 9

/** Where runs happen: one server, whose users are each run's own. */
export interface Place {
  chat: WsRouter
  store: Store
  port: number
  ticker: Ticker
  /** A store that ann's device is given. */
  makeStore?(): MemoryClientStore
}

async function befriend(chat: WsRouter, one: string, other: string): Promise<string> {
  const { id } = await chat.friendships.request(one, other)
  await chat.friendships.accept(other, id)
  return id
}

async function readLog(store: Store, conversations: readonly string[]): Promise<LogEntry[]> {
  const logs = conversations.map((conversation) => store.read(conversation, { after: 0, limit: 200 }))
  return (await Promise.all(logs)).flat()
}

/** One session with one cut, or with none. */
export async function runOnce(place: Place, number: number, cut?: Cut): Promise<Outcome & { size: Size }> {
  const { chat, store, port, ticker, makeStore } = place
  const [annId, benId, cleo] = [`ann${number}`, `ben${number}`, `cleo${number}`]
  const friends = await befriend(chat, annId, benId)
  const { id: later } = await chat.friendships.request(cleo, annId)
  const proxy = await chaosProxy({
    port,
    // Fair from the second connection on.
    plan: (connection) => (connection === 0 && cut ? { [cut.direction]: { cutAt: cut.byte, cutMode: cut.mode } } : {}),
  })
  let moments = 0
  let events = 0
  const stage: Stage = {
    moment: () => ++moments,
    happened: () => {
      events++
    },
  }
  const make = (user: string, through: number, conversations: readonly string[], ownStore?: MemoryClientStore) =>
    new Device({
      url: `ws://127.0.0.1:${through}/chat/ws`,
      ...{ user, conversations, stage, seed: number + through },
      ...(ownStore && { store: ownStore }),
    })
  const ann = make(annId, proxy.port, [friends, later], makeStore?.())
  const ben = make(benId, port, [friends])
  const cast: Cast = { chat, ann, ben, cleo, friends, later, stage, told: [] }
  const reached = () => cut === undefined || (proxy.connections > 0 && proxy.bytes[cut.direction] >= cut.byte)
  const dead = () => cut?.mode === 'half-open' && ann.tries === 1 && reached()
  let turnsAway = 0
  const heads = { friends: 0, later: 0 }
  const settled = () =>
    [ann, ben].every((device) => device.seen(friends) >= heads.friends && device.heard.delivered === heads.friends) &&
    ann.seen(later) >= heads.later

  const play = async () => {
    await playSession(cast)
    const made = [...ann.told, ...ben.told, ...cast.told]
    heads.friends = made.filter(({ conversation }) => conversation === friends).length
    heads.later = made.length - heads.friends
    await watch.until(settled)
    if ((await ann.store.waiting()).length > 0) return ['I8 the outbox is not empty']
    const failed = (await ann.store.outgoing()).filter((row) => row.failed !== undefined)
    return failed.map((row) => `I9 ${row.cid} was set aside: ${row.failed}`)
  }
  const watch = ticker.watch({
    progress: () => proxy.bytes.toServer + proxy.bytes.toClient + events,
    // She does not wait for what goes on elsewhere: while ben talks, and while what she sent is still being stored, she
    // is back, now sooner and now later.
    turn: () => {
      const away = dead() || ann.client.state === 'waiting'
      turnsAway = away ? turnsAway + 1 : 0
      if (turnsAway > number % MOST_TURNS_AWAY) ann.step(dead())
    },
    idle: () => [ann.step(dead()), ben.step(false)].includes(true),
  })
  const outcome: Outcome & { size: Size } = { violations: [], reached: false, size: { ...proxy.bytes }, cut: cut! }
  try {
    const wrong = await Promise.race([play(), watch.stuck])
    if (wrong === 'stuck') {
      const states = [ann, ben].map((device) => `${device.client.state} ${device.seen(friends)} seen`)
      outcome.hang = `${states.join(', ')} of ${heads.friends}; ${ann.tries} tries`
    } else outcome.violations.push(...wrong)
    outcome.reached = reached()
    outcome.size = { ...proxy.bytes }
    if (!outcome.hang)
      outcome.violations.push(...verdict(await readLog(store, [friends, later]), [ann, ben], cast.told))
  } catch (error) {
    outcome.violations.push(`the session failed: ${String(error)}`)
  } finally {
    watch.end()
    await Promise.all([ann.client.close(), ben.client.close()])
    await proxy.close()
  }
  return outcome
}
