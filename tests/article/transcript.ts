import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { ArticleClient } from './article-client.js'

export const FRIEND = '5d1328295793f14020a979d5'
export const USERS = { jeffery: '5d1327c65793f14020a979ca', testuser: '5d1328065793f14020a979cf' } as const
export type Name = keyof typeof USERS

type Step =
  | { connect: Name }
  | { close: Name; code: number }
  /** Settles once so many messages are stored. */
  | { stored: number }
  | { pinged: Name }
  | { who: Name; call: [friend: string, content: string, to: string, type?: string]; sends: string; receives?: Name }

export interface Transcript {
  name: string
  about: string
  steps: Step[]
}

const folder = fileURLToPath(new URL('transcripts', import.meta.url))

export const transcripts: Transcript[] = readdirSync(folder).map((file) => ({
  name: file.replace('.json', ''),
  ...JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')),
}))

/** Who takes part: the article's client, or something that plays its part. */
export interface Participant extends Pick<ArticleClient, 'closed' | 'close' | 'until' | 'pings' | 'sent' | 'received'> {
  send(friend: string, content: string, to: string, type?: string): Promise<unknown>
}

export interface Stage {
  connect(name: Name): Promise<Participant>
  /** Messages that are stored. */
  stored(): Promise<number>
  /** The bytes that the article's own server would have sent, from those that came. */
  plain(text: string): string
}

/** Plays a transcript, and compares every byte that goes and comes, and what does not come. */
export async function play({ steps }: Transcript, stage: Stage): Promise<void> {
  const here = new Map<Name, Participant>()
  const sent = new Map<Name, string[]>()
  const received = new Map<Name, string[]>()
  const compare = () => {
    for (const [name, client] of here) {
      expect(client.sent, name).toEqual(sent.get(name))
      expect(client.received.map(stage.plain), name).toEqual(received.get(name))
    }
  }
  for (const step of steps) {
    if ('connect' in step) {
      here.set(step.connect, await stage.connect(step.connect))
      sent.set(step.connect, [])
      received.set(step.connect, [])
    } else if ('stored' in step) {
      while ((await stage.stored()) < step.stored) await new Promise((resolve) => setImmediate(resolve))
    } else if ('pinged' in step) {
      const client = here.get(step.pinged)!
      await client.until(() => client.pings > 0)
    } else if ('close' in step) {
      compare()
      const client = here.get(step.close)!
      client.close()
      expect(await client.closed).toBe(step.code)
      here.delete(step.close)
    } else {
      await here.get(step.who)!.send(...step.call)
      sent.get(step.who)!.push(step.sends)
      if (!step.receives) continue
      received.get(step.receives)!.push(step.sends)
      const receiver = here.get(step.receives)!
      await receiver.until(() => receiver.received.length >= received.get(step.receives!)!.length)
    }
  }
}
