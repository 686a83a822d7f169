import { PEERS } from '../peers.js'
import { goalRows } from './goals.js'
import { fixed, spread } from './numbers.js'
import type { Published, PublishedWorkload } from './published.js'
import type { PeerResult } from './results.js'
import { markdown, ratioOf, referenceOf } from './table.js'

const BEGIN = '<!-- figures: written by `npm run bench -- --write-docs` -->'
const END = '<!-- end of figures -->'

/** The document with the section in place of the one that it has. */
export function withSection(document: string, section: string): string {
  const begin = document.indexOf(BEGIN)
  const end = document.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`docs/performance.md lacks the markers ${BEGIN} and ${END}.`)
  return `${document.slice(0, begin + BEGIN.length)}\n${section}\n${document.slice(end)}`
}

/** The figures as markdown; a sentence while there are none. */
export function sectionOf(published: Published): string {
  const { workloads } = published
  if (workloads.length === 0) return 'No run of this version on a quiet machine yet.'
  const having = (name: string) => workloads.filter(({ figures }) => figures.some((figure) => figure.name === name))
  const traffic = having('p50')
  const states = workloads.filter((workload) => !traffic.includes(workload) && !having('messages').includes(workload))
  return [
    '**Server CPU, µs a message** (in parentheses as a multiple of the Socket.IO relay)',
    matrix(traffic, (workload, peer) => value(workload, peer, 'cpu', true)),
    '**A core that is busy for 60 % of the time**, messages a second, and connected users who write one message a minute',
    matrix(traffic, (workload, peer) => capacity(workload, peer)),
    '**Messages a second**, with one server, the load and the rest of the machine sharing its cores',
    matrix(traffic, (workload, peer) => value(workload, peer, 'perSecond', false)),
    '**From making a message to its acknowledgement**, p50 / p99, ms',
    matrix(
      traffic,
      (workload, peer) => `${value(workload, peer, 'p50', false)} / ${value(workload, peer, 'p99', false)}`,
    ),
    '**Everything else**',
    matrix(states, (workload, peer) =>
      workload.figures
        .map(({ name, title, ratio }) => `${value(workload, peer, name, ratio)} ${unitOf(title)}`)
        .join(', '),
    ),
    '**Messages lost / double / out of order, and acknowledged but lost**, in all rounds',
    matrix(
      workloads.filter(({ id }) => !states.some((state) => state.id === id)),
      (_, peer) => faults(peer),
    ),
    '**What it must show**',
    markdown(goalRows(workloads)),
    origins(workloads),
  ].join('\n\n')
}

/** Workloads down, peers across; peers that took part in none of them are left out. */
function matrix(
  workloads: readonly PublishedWorkload[],
  cell: (workload: PublishedWorkload, peer: PeerResult) => string,
): string {
  const peers = PEERS.filter(({ id }) => workloads.some((workload) => workload.peers.some((peer) => peer.id === id)))
  const rows = workloads.map((workload) => [
    workload.title,
    ...peers.map(({ id }) => {
      const peer = workload.peers.find((each) => each.id === id)
      return peer ? cell(workload, peer) : ''
    }),
  ])
  return markdown([['', ...peers.map(({ title }) => title)], ...rows])
}

function value(workload: PublishedWorkload, peer: PeerResult, name: string, ratio: boolean): string {
  const figure = workload.figures.find((each) => each.name === name)!
  const values = spread(peer.runs.map(({ figures }) => figures[name] ?? Number.NaN))
  if (values === undefined) return '–'
  const reference = referenceOf(workload)
  const text = fixed(values.median, figure.digits)
  return ratio && reference ? `${text} (${ratioOf(peer, figure, reference)})` : text
}

/** What a core carries without being full. */
function capacity({ figures }: PublishedWorkload, { runs }: PeerResult): string {
  const cpu = spread(runs.map((run) => run.figures[figures[0]!.name] ?? Number.NaN))
  if (cpu === undefined) return '–'
  const perSecond = 600_000 / cpu.median
  const users = Math.round((perSecond * 60) / 1_000) * 1_000
  return `${fixed(perSecond, 0)}; ${fixed(users, 0)}`
}

const unitOf = (title: string) => title.replace(/^server CPU, /, '')

function faults({ runs }: PeerResult): string {
  const sum = (name: keyof PeerResult['runs'][number]['exactness']) =>
    fixed(
      runs.reduce((total, { exactness }) => total + exactness[name], 0),
      0,
    )
  return `${sum('lost')} / ${sum('double')} / ${sum('outOfOrder')}, ${sum('acknowledgedButLost')}`
}

/** Where the figures are from. */
function origins(workloads: readonly PublishedWorkload[]): string {
  const lines = workloads.map(({ date, commit, machine, syncMs, peers }) => {
    const rounds = Math.max(...peers.map(({ runs }) => runs.length))
    return `${date}, commit \`${commit}\`, ${machine}, fdatasync ${fixed(syncMs, 2)} ms, medians of ${rounds} rounds`
  })
  const distinct = [...new Set(lines)]
  if (distinct.length === 1) return `Measured ${distinct[0]}.`
  return distinct
    .map(
      (line) =>
        `- ${workloads
          .filter((_, index) => lines[index] === line)
          .map(({ title }) => title)
          .join('; ')}: ${line}.`,
    )
    .join('\n')
}
