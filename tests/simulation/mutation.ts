import { readFile } from 'node:fs/promises'
import type { Plugin } from 'esbuild'
import type { Bundle } from './cli.js'
import { crew } from './crew.js'
import type { Mutant } from './mutant.js'
import { MUTANTS } from './mutants.js'
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

/** Changes sources on their way into the bundle. Each text must be there exactly once, or the mutant is out of date. */
function plant(mutant: Mutant, root: string): Plugin {
  const edits = new Map(mutant.edits.map((edit) => [root + edit.file, edit]))
  return {
    name: 'mutant',
    setup(build) {
      const planted = new Set<string>()
      build.onLoad({ filter: /\.ts$/ }, async (args) => {
        const edit = edits.get(args.path)
        if (edit === undefined) return undefined
        const source = await readFile(args.path, 'utf8')
        if (source.split(edit.text).length !== 2)
          throw new Error(
            `mutant "${mutant.name}": expected its text once in ${edit.file}; adapt tests/simulation/mutants.ts`,
          )
        planted.add(args.path)
        return { contents: source.replace(edit.text, () => edit.replacement), loader: 'ts' }
      })
      build.onEnd(() => {
        for (const path of edits.keys())
          if (!planted.has(path)) throw new Error(`mutant "${mutant.name}": ${path} is not part of the simulation`)
      })
    },
  }
}
