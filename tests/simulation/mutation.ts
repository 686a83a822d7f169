import { writeFileSync } from 'node:fs'
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
  const started = performance.now()
  const caughtAt: Record<string, number | 'survived'> = {}
  for (const mutant of chosen) {
    const file = await tools.bundle(tools.root, `mutant-${MUTANTS.indexOf(mutant)}`, 'cli', [plant(mutant, tools.root)])
    const { violations } = await crew(file, { ...options, seeds: mutant.within, stop: true })
    const caught = violations[0]
    if (caught === undefined) survivors++
    caughtAt[mutant.name] = caught?.seed ?? 'survived'
    const verdict = caught ? `caught at seed ${caught.seed}: ${caught.what}` : `SURVIVED ${mutant.within} seeds`
    console.log(`${mutant.name.padEnd(44)} ${verdict}`)
  }
  console.log(`${chosen.length} mutants, ${chosen.length - survivors} caught, ${survivors} survived`)
  if (options.report) {
    const seconds = (performance.now() - started) / 1_000
    const figures = { name: 'planted errors', runs: chosen.length, violations: survivors, hangs: 0, seconds }
    writeFileSync(options.report, `${JSON.stringify({ ...figures, details: { caughtAt } }, undefined, 2)}\n`)
  }
  return survivors === 0 && chosen.length > 0 ? 0 : 1
}

/** Changes sources on their way into the bundle. Each text must be there exactly once, or the mutant is out of date. */
function plant(mutant: Mutant, root: string): Plugin {
  const paths = new Set(mutant.edits.map((edit) => root + edit.file))
  return {
    name: 'mutant',
    setup(build) {
      const planted = new Set<string>()
      build.onLoad({ filter: /\.ts$/ }, async (args) => {
        if (!paths.has(args.path)) return undefined
        let contents = await readFile(args.path, 'utf8')
        for (const { file, text, replacement } of mutant.edits) {
          if (root + file !== args.path) continue
          if (contents.split(text).length !== 2)
            throw new Error(
              `mutant "${mutant.name}": expected its text once in ${file}; adapt tests/simulation/mutants.ts`,
            )
          contents = contents.replace(text, () => replacement)
        }
        planted.add(args.path)
        return { contents, loader: 'ts' }
      })
      build.onEnd(() => {
        for (const path of paths)
          if (!planted.has(path)) throw new Error(`mutant "${mutant.name}": ${path} is not part of the simulation`)
      })
    },
  }
}
