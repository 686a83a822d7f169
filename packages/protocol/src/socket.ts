/**
 * What client and server need of a WebSocket, nothing more. Everything else (the `ws` package, the browser's class, a
 * simulated network) is adapted to it in one small file each.
 */
export interface SocketLike {
  /** The subprotocol that the server chose; empty when none. */
  readonly protocol: string
  /** Bytes handed to `send` and not yet to the network. */
  readonly bufferedAmount: number
  /** Installs the one listener. Nothing that happened before is lost: call it in the turn that made the socket. */
  listen(listener: SocketListener): void
  /** Queues one text frame. After a close it does nothing. `done` is called once the frame left this process, or never will. */
  send(text: string, done?: () => void): void
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void
  /** Drops the connection at once, without a closing handshake. */
  terminate(): void
  /** Sends a WebSocket ping. Absent in browsers. */
  ping?(): void
  /** Stops reading, so that the peer's TCP window fills. Absent in browsers. */
  pause?(): void
  resume?(): void
}

export interface SocketListener {
  /** Clients only: the handshake is done. */
  open?(): void
  /** One frame; `null` stands for a binary one. */
  message(text: string | null): void
  /** Any sign of life that is not a message: a ping or a pong. */
  alive?(): void
  /** Called exactly once, and nothing after it. 1006 when the connection was lost. */
  close(code: number, reason: string): void
}

/** Opens a connection. Errors arrive as `close`. */
export type SocketFactory = (url: string, protocols: readonly string[]) => SocketLike
