import type { ErrorFrame, Page } from '@kithwire/protocol'
import { backoff } from './backoff.js'
import type { Link } from './link.js'
import { findCommon } from './resume.js'
import type { Syncs } from './syncs.js'
import type { InboxHooks, View } from './view.js'

/** Goes back to the last entry that this device and the server have in common, when the log was restored. */
export class Retreat {
  constructor(
    private readonly hooks: InboxHooks,
    private readonly current: (link: Link) => boolean,
    private readonly done: (link: Link, conversation: string, view: View) => void,
  ) {}

  /** Tries until it is done or the socket ends: meanwhile a push cannot be told from what is here already. */
  start(link: Link, conversation: string, view: View): void {
    view.resetting = true
    const { runtime, error } = this.hooks
    this.goBack(link, conversation, view).then(
      () => {
        view.confirmed = true
        view.fails = 0
        this.done(link, conversation, view)
      },
      (cause: unknown) => {
        if (!this.current(link)) return this.done(link, conversation, view)
        error(cause)
        const wait = backoff(() => runtime.random(), ++view.fails)
        view.again = runtime.setTimer(() => {
          view.again = undefined
          this.start(link, conversation, view)
        }, wait)
      },
    )
  }

  /** The socket ended: gives up waiting for the next try. One that is under way ends by itself. */
  stop(conversation: string, view: View): void {
    if (view.again === undefined) return
    this.hooks.runtime.clearTimer(view.again)
    view.again = undefined
    this.hooks.resetDone(conversation)
  }

  private async goBack(link: Link, conversation: string, view: View): Promise<void> {
    const { store, syncs, serial } = this.hooks
    const state = await serial.run(() => store.conversation(conversation))
    if (!state) return
    const ask = (question: Parameters<Syncs['ask']>[1]): Promise<Page | ErrorFrame> => syncs.ask(link, question)
    const point = await findCommon(store, state, view.head[3], ask)
    await serial.run(async () => {
      if (!this.current(link)) return
      view.same = !point
      if (point) {
        this.hooks.resetting(conversation, point.seq, state.applied - point.seq)
        await store.reset(conversation, {
          resets: state.resets.length,
          to: point.seq,
          tail: point.tail,
          marks: view.head[6],
          at: this.hooks.runtime.now(),
        })
      }
      const now = await store.conversation(conversation)
      view.applied = now?.applied ?? 0
    })
  }
}
