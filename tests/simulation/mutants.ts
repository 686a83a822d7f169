/** A one-line error of the product that the simulation must find. */
export interface Mutant {
  name: string
  /** Path from the root of the repository. */
  file: string
  /** Text that stands there exactly once. */
  text: string
  replacement: string
  /** Seeds within which it must show. */
  within: number
}

export const MUTANTS: readonly Mutant[] = []
