/** The types of the modules that a test takes from an example, which is JavaScript. */
declare module '*/examples/follows/follow.js' {
  export const Follow: import('mongoose').Model<{ follower: unknown; followee: unknown }>
}

declare module '*/examples/follows/friendships.js' {
  export const friendships: import('@kithwire/server').Friendships
}
