import type { Client, Topology } from './mongo-connection.js'

/**
 * Counts the primaries that the driver has seen. A new one may not know yet how far its predecessor had got: until it
 * has committed something itself, its majority reads may show an older state than the old one's did. So who reads
 * commits something first, once per term.
 */
export class Terms {
  #client: Client | undefined
  #key: string | undefined
  #term = 1
  #settled = 0

  get current(): number {
    return this.#term
  }

  get isSettled(): boolean {
    return this.#settled === this.#term
  }

  /** What was committed while this term was the current one settles it. */
  settle(term: number): void {
    if (term > this.#settled) this.#settled = term
  }

  /** Follows this client, which is another one after the app has connected anew. */
  watch(client: Client): void {
    if (client === this.#client) return
    this.stop()
    this.#client = client
    client.on('topologyDescriptionChanged', this.#listen)
    this.#see(client.topology?.description)
  }

  stop(): void {
    this.#client?.removeListener('topologyDescriptionChanged', this.#listen)
    this.#client = undefined
  }

  #listen = ({ newDescription }: { readonly newDescription: Topology }) => this.#see(newDescription)

  #see(topology: Topology | undefined): void {
    const primary = [...(topology?.servers.values() ?? [])].find(({ type }) => type === 'RSPrimary')
    if (!primary) return
    const key = `${primary.address} ${String(primary.electionId)} ${primary.setVersion}`
    if (key === this.#key) return
    this.#key = key
    this.#term++
  }
}
