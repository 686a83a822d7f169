/** One change of a source. */
export interface Edit {
  /** Path from the root of the repository. */
  file: string
  /** Text that stands there exactly once. */
  text: string
  replacement: string
}

/** An error of the product that the simulation must find; of two lines where two guards stand behind each other. */
export interface Mutant {
  name: string
  edits: readonly Edit[]
  /** Seeds within which it must show. */
  within: number
}

export const CLIENT = 'packages/client/src'
export const SERVER = 'packages/server/src'
/** The server's store is simulated, so an error of an adapter is planted there. */
export const STORE = 'tests/simulation'

export const edit = (file: string, text: string, replacement: string): Edit => ({ file, text, replacement })

export const mutant = (name: string, file: string, text: string, replacement: string, within = 1_000): Mutant => ({
  name,
  edits: [edit(file, text, replacement)],
  within,
})
