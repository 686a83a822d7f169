import type { Client, Session } from '../mongo-driver.js'

/** Where the sessions of runs that are under way are noted, beside the store's own document. */
const NOTE = { collection: 'kithwire_store', id: 'migration' }

/**
 * The one session of a run. It is noted in the database, and the sessions that were noted before are ended: a run that
 * was killed leaves a transaction open, whose rows the server would lock for another minute. To a run that is alive it
 * is a transaction that failed, and is tried again.
 */
export class RunSession {
  private constructor(
    private readonly client: Client,
    readonly session: Session,
  ) {}

  static async open(client: Client): Promise<RunSession> {
    const notes = client.db().collection(NOTE.collection)
    const [note] = await notes.find({ _id: NOTE.id }).toArray()
    const left = (note?.sessions as unknown[] | undefined) ?? []
    if (left.length > 0) {
      // Who may not do that waits for the server to do it.
      await client
        .db()
        .command({ killSessions: left.map((id) => ({ id })) })
        .catch(() => {})
      await notes.updateOne({ _id: NOTE.id }, { $pullAll: { sessions: left } })
    }
    const session = client.startSession()
    await notes.updateOne({ _id: NOTE.id }, { $addToSet: { sessions: session.id.id } }, { upsert: true })
    return new RunSession(client, session)
  }

  async close(): Promise<void> {
    const notes = this.client.db().collection(NOTE.collection)
    await notes.updateOne({ _id: NOTE.id }, { $pull: { sessions: this.session.id.id } })
    await notes.deleteOne({ _id: NOTE.id, sessions: [] })
    await this.session.endSession()
  }
}
