/** Limits that a server states in `welcome`. A client reads them again at each one: a deploy may shrink them. */
export interface Limits {
  /** Bytes of one frame, encoded. Beyond it the socket is closed 1009. @default 65536 */
  frame: number
  /** Bytes of `content` and `meta` of one item as JSON, the quotes around `content` left out. @default 16384 */
  content: number
  /** Items a user may send per second, in the long run. @default 10 */
  rate: number
  /** Items a user may send at once after a pause. @default 40 */
  burst: number
  /** Items that may wait in the server's append queue per connection. @default 64 */
  inflight: number
}

export const DEFAULT_LIMITS: Readonly<Limits> = Object.freeze({
  frame: 65_536,
  content: 16_384,
  rate: 10,
  burst: 40,
  inflight: 64,
})

/** Limits of the protocol itself. They are the same on every server and are not negotiated. */
export const PROTOCOL_LIMITS = Object.freeze({
  /** Items of one `send`. */
  items: 32,
  /** Entries of one `page`, and the largest `limit` of a `sync`. */
  page: 200,
  /** Bytes of the entries of one `page`; a page holds at least one entry all the same. */
  pageBytes: 65_536,
  /** Heads in one `welcome` or `behind` frame. */
  heads: 500,
  /** `sync` requests of one socket that may be under way at once. */
  syncs: 4,
  /** Entries that a client holds above a hole. */
  held: 256,
  /** Own keys of one frame. Beyond it the frame is refused as `bad_frame`. */
  keys: 64,
  /** Levels of objects and arrays in `meta`. */
  depth: 4,
  /** Cursors that all chunks of one `hello` may carry together. */
  cursors: 10_000,
  /** Characters of an id. */
  id: 64,
  /** Characters of a `device`. */
  device: 22,
  /** Characters of a user id, which is the app's own and may hold any characters but control characters. */
  user: 256,
  /** Characters of a token in `hello` or `auth`. */
  token: 4_096,
})
