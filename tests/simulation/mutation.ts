import { readFile } from 'node:fs/promises'
import type { Plugin } from 'esbuild'
import type { Bundle } from './cli.js'
import { crew } from './crew.js'
import { MUTANTS, type Mutant } from './mutants.js'
import type { Options } from './options.js'

/** Simulates each mutant until a seed shows it, and answers with the exit code: 1 if one survives. */
export async function runMutants(options: Options, tools: { root: string; bundle: Bundle }): Promise<number> {
  const chosen = MUTANTS.filter((mutant) => mutant.name.includes(options.mutants!))
  let survivors = 0
  for (const mutant of chosen) {
    const file = await tools.bundle(tools.root, `mutant-${MUTANTS.indexOf(mutant)}`, 'cli', [plant(mutant, tools.root)])
    const { violations } = await crew(file, { ...options, seeds: mutant.within, stop: true })
    const caught = violations[0]
    if (caught === undefined) survivors++
    const verdict = caught ? `caught at seed ${caught.seed}: ${caught.what}` : `SURVIVED ${mutant.within} seeds`
    console.log(`${mutant.name.padEnd(44)} ${verdict}`)
  }
  console.log(`${chosen.length} mutants, ${chosen.length - survivors} caught, ${survivors} survived`)
  return survivors === 0 && chosen.length > 0 ? 0 : 1
}

/** Changes one source on its way into the bundle. The text must be there exactly once, or the mutant is out of date. */
function plant(mutant: Mutant, root: string): Plugin {
  const path = root + mutant.file
  return {
    name: 'mutant',
    setup(build) {
      let planted = false
      build.onLoad({ filter: /\.ts$/ }, async (args) => {
        if (args.path !== path) return undefined
        const source = await readFile(path, 'utf8')
        if (source.split(mutant.text).length !== 2)
          throw new Error(
            `mutant "${mutant.name}": expected its text once in ${mutant.file}; adapt tests/simulation/mutants.ts`,
          )
        planted = true
        return { contents: source.replace(mutant.text, () => mutant.replacement), loader: 'ts' }
      })
      build.onEnd(() => {
        if (!planted) throw new Error(`mutant "${mutant.name}": ${mutant.file} is not part of the simulation`)
      })
    },
  }
}
