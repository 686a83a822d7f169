/** Who there is in the app that the demo pretends to be. */
export const NAMES: ReadonlyMap<string, string> = new Map([
  ['ann', 'Ann'],
  ['ben', 'Ben'],
  ['cyd', 'Cyd'],
  ['dan', 'Dan'],
  ['eli', 'Eli'],
])

export const nameOf = (user: string): string => NAMES.get(user) ?? user

/** One of the colours that style.css has for avatars. */
export const toneOf = (user: string): string => `tone-${[...NAMES.keys()].indexOf(user) % 5}`
