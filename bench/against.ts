import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Peer } from './peers.js'

export interface Checkout {
  /** The commit, abbreviated. */
  commit: string
  root: string
}

/** A built copy of another commit, kept in `.cache` for the next time. */
export function checkOut(root: string, reference: string): Checkout {
  const git = (args: string[]) => execFileSync('git', args, { cwd: root, maxBuffer: 2 ** 30 })
  const commit = git(['rev-parse', '--short=12', `${reference}^{commit}`])
    .toString()
    .trim()
  const folder = join(root, '.cache/bench/against', commit)
  if (existsSync(folder)) return { commit, root: folder }
  console.error(`Building ${commit} …`)
  // Only what is complete gets its name.
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  execFileSync('tar', ['-x', '-C', unfinished], { input: git(['archive', commit]) })
  execFileSync(process.execPath, [join(unfinished, 'scripts/build.mjs')], { cwd: unfinished, stdio: 'ignore' })
  renameSync(unfinished, folder)
  return { commit, root: folder }
}

/** Each Kithwire among the peers, followed by that of the checkout. */
export const withEarlier = (peers: readonly Peer[], { commit, root }: Checkout): readonly Peer[] =>
  peers.flatMap((peer) => {
    if (!peer.kithwire) return [peer]
    return [peer, { ...peer, root, id: `${peer.id}@${commit}`, title: `${peer.title}, ${commit}` }]
  })
