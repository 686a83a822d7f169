import type { WsRouter } from '@kithwire/server'
import type { Device, Stage, Told } from './device.js'

export interface Cast {
  chat: WsRouter
  /** The device whose connection is cut. */
  ann: Device
  ben: Device
  /** Whom ann befriends in the middle; she has no device, the app speaks for her. */
  cleo: string
  /** The conversation of ann and ben. */
  friends: string
  /** That of ann and cleo, from the moment that ann accepts. */
  later: string
  stage: Stage
  /** What the app sent. */
  told: Told[]
}

/** Text of every length of UTF-8, of what JSON escapes, and of what looks like a frame. */
const TEXTS = [
  'Shall we meet at six?',
  'Gern, um halb sieben am Südeingang – grüß alle schön!',
  '明日の午後、駅前で会いましょう。雨なら中で待っています。',
  'До встречи, не опаздывай 😊',
  '👩‍👩‍👧‍👦🏳️‍🌈👍🏽 family, flag, thumb',
  'quotes " and \\ and \u0000 and \n\t and \u2028 and </script>',
  '{"v":1,"t":"ack","re":1,"conversation":"none","items":[]}',
  'مرحبا بالعالم ‏RTL‎',
]

/**
 * The canonical session: all that two friends do in a day, in one connection of about 10 KB each way. Every step waits
 * for what it causes, so that it goes on after a cut where it was.
 */
export async function playSession({ chat, ann, ben, cleo, friends, later, stage, told }: Cast): Promise<void> {
  ann.client.connect()
  ben.client.connect()
  await Promise.all([ann.client.connected(), ben.client.connected()])
  await ann.say(friends, 'Hello ben')
  await ben.say(friends, 'Hello ann 👋')

  // Both at once; what waits goes out in batches.
  await Promise.all(
    TEXTS.flatMap((text, index) => [
      ann.say(friends, `a${index} ${text}`, { meta: { place: `№ ${index}` } }),
      ben.say(friends, `b${index} ${text}`),
    ]),
  )
  ann.client.typing(friends, true)
  await ann.client.markRead(friends)
  // What comes of it is known to nobody if the connection is cut.
  const probe = ann.client.heartbeat().catch(() => {})
  await ann.readHistory(friends, 8)
  await probe
  ann.client.authenticate(`${ann.user}.2`)
  await Promise.all([ann.say(friends, 'ü€𐍈'.repeat(300)), ben.say(friends, '𐍈ü€'.repeat(150))])

  // A friendship begins, and cleo has something to say at once.
  await chat.friendships.accept(ann.user, later)
  for (let index = 0; index < 3; index++) {
    const content = `c${index} ${TEXTS[index]}`
    const begun = stage.moment()
    const { cid, seq, id } = await chat.send({ conversation: later, from: cleo, content })
    told.push({ conversation: later, from: cleo, content, begun, ack: { cid, seq, id }, done: stage.moment() })
  }
  await Promise.all([ann.say(later, 'Hello cleo'), ann.say(later, 'and welcome 🎉'), ben.say(friends, 'back soon')])

  // One friendship stops, and goes on.
  await chat.friendships.block(ben.user, friends)
  await chat.friendships.unblock(ben.user, friends)
  await Promise.all([
    ...TEXTS.slice(0, 6).map((text, index) => ann.say(friends, `d${index} ${text}`)),
    ...TEXTS.slice(2, 6).map((text, index) => ben.say(friends, `e${index} ${text}`)),
  ])
  await ben.client.markRead(friends)
  await ann.say(friends, 'Good night 🌙')
}
