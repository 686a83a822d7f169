import type { Push } from './push.js'

/** A socket as the rest of the server sees it, whichever protocol it speaks. */
export interface Peer {
  readonly user: string
  readonly protocol: 'v1' | 'legacy'
  /** Hands over what happened in a conversation. Never throws, never waits. */
  push(push: Push): void
  /** Makes sure that the device hears of a conversation whose pushes it may have missed. */
  missed(conversation: string): void
  /** Whether the device has not been told that there is this conversation: it ignores what it is pushed of it. */
  unaware(conversation: string): boolean
  /** Says that the server ends soon, to who understands it: reconnect within `spread` ms. */
  drain(spread: number): void
  close(code: number, reason: string): void
  terminate(): void
}

/** A session of a device that said hello. */
export interface DevicePeer extends Peer {
  readonly device: string
  readonly attempt: number
  /** Of the device and its user together. */
  readonly key: string
  /** The device is told of a conversation now; or must be told again, since it was refused something there. */
  introduce(conversation: string, known?: boolean): void
}

/** A few peers of each key. Most keys have one, which needs no list; and lists are replaced, never changed. */
class PeerLists<P extends Peer> {
  private readonly lists = new Map<string, P | readonly P[]>()

  get size(): number {
    return this.lists.size
  }

  keys(): string[] {
    return [...this.lists.keys()]
  }

  /** Every peer. */
  all(): P[] {
    return [...this.lists.values()].flat() as P[]
  }

  add(key: string, peer: P): void {
    const list = this.of(key)
    if (!list.includes(peer)) this.lists.set(key, list.length === 0 ? peer : [...list, peer])
  }

  /** True if that was the last of its key. */
  delete(key: string, peer: P): boolean {
    const list = this.of(key)
    const left = list.filter((other) => other !== peer)
    if (left.length > 0) this.lists.set(key, left.length === 1 ? left[0]! : left)
    return left.length === 0 && list.length > 0 && this.lists.delete(key)
  }

  /** Those of a key, in a list that stays as it is. */
  of(key: string): readonly P[] {
    const found = this.lists.get(key)
    if (found === undefined) return NOBODY
    return 'user' in found ? [found] : found
  }
}

const NOBODY: readonly never[] = Object.freeze([])

/**
 * All sockets of the process. Indexed by session, never one per user: a user has many devices, and a half-open socket's
 * end must not evict its successor.
 */
export class SessionRegistry {
  /** From accept until the socket's own close event. */
  private readonly sockets = new PeerLists<Peer>()
  /** Those that pushes go to. */
  private readonly receivers = new PeerLists<Peer>()
  private readonly devices = new PeerLists<DevicePeer>()
  private count = 0
  /** Those that have not said hello. */
  readonly opening = new Set<Peer>()

  constructor(
    /** Called when the last socket has gone. */
    private readonly emptied: () => void,
    /** Told of the sockets that take pushes: of each that begins, and of the end of a user's last. */
    private readonly presence?: { entered(user: string): void; left(user: string): void },
  ) {}

  /** Sockets now. */
  get size(): number {
    return this.count
  }

  /** Sizes of all indexes together: 0 after everybody has left. */
  get entries(): number {
    return this.count + this.opening.size + this.sockets.size + this.receivers.size + this.devices.size
  }

  add(peer: Peer): void {
    this.count++
    this.sockets.add(peer.user, peer)
  }

  remove(peer: Peer): void {
    if (!this.sockets.of(peer.user).includes(peer)) return
    this.sockets.delete(peer.user, peer)
    if (--this.count === 0) this.emptied()
  }

  startReceiving(peer: Peer): void {
    this.receivers.add(peer.user, peer)
    this.presence?.entered(peer.user)
  }

  stopReceiving(peer: Peer): void {
    if (this.receivers.delete(peer.user, peer)) this.presence?.left(peer.user)
  }

  socketsOf(user: string): readonly Peer[] {
    return this.sockets.of(user)
  }

  receiversOf(user: string): readonly Peer[] {
    return this.receivers.of(user)
  }

  /** Users of whom a socket takes pushes. */
  receivingUsers(): string[] {
    return this.receivers.keys()
  }

  everybody(): Peer[] {
    return this.sockets.all()
  }

  /**
   * Registers a device's session and closes those of lower attempts, or says that a higher one lives. Equal ones live
   * side by side: a replayed hello has no effect on others.
   */
  claim(peer: DevicePeer): boolean {
    if (this.replace(peer.user, peer.device, peer.attempt) > peer.attempt) return false
    this.devices.add(peer.key, peer)
    return true
  }

  /** Closes the sessions of a device that are of lower attempts, unless there is a higher one; the highest there was. */
  replace(user: string, device: string, attempt: number): number {
    const sessions = this.devices.of(deviceKey(user, device))
    const highest = Math.max(-1, ...sessions.map((session) => session.attempt))
    if (highest <= attempt)
      for (const session of sessions)
        if (session.attempt < attempt) session.close(4009, 'a later attempt of this device')
    return highest
  }

  /** Closes all sockets of a user. */
  revoke(user: string, code: 4501 | 4503): void {
    const reason = code === 4501 ? 'the credentials were revoked' : 'this user may not connect'
    for (const peer of this.sockets.of(user)) peer.close(code, reason)
  }

  release(peer: DevicePeer): void {
    this.devices.delete(peer.key, peer)
  }
}

/** A device belongs to its user; a `device` has always 22 characters, so that no two pairs share a key. */
export const deviceKey = (user: string, device: string): string => device + user

export const deviceOf = (key: string): string => key.slice(0, 22)
