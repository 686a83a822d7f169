import { REFERENCE } from '../peers.js'
import type { Figure } from '../workloads/workload.js'
import { fixed, spread } from './numbers.js'
import type { PeerResult, WorkloadResult } from './results.js'

/** A table as rows of cells, the first row its head. */
export function tableOf({ figures, peers }: WorkloadResult): string[][] {
  const shown = figures.filter(({ name }) =>
    peers.some(({ runs }) => runs.some((run) => run.figures[name] !== undefined)),
  )
  const reference = referenceOf({ peers })
  const columns = shown.flatMap((figure) =>
    figure.ratio && reference ? [figure.title, '× Socket.IO'] : [figure.title],
  )
  const head = ['', ...columns, 'lost / double / out of order', 'acknowledged but lost']
  return [head, ...peers.map((peer) => rowOf(peer, shown, reference))]
}

export const referenceOf = ({ peers }: Pick<WorkloadResult, 'peers'>): PeerResult | undefined =>
  peers.find(({ id }) => id === REFERENCE)

function rowOf(peer: PeerResult, figures: readonly Figure[], reference: PeerResult | undefined): string[] {
  const sum = (name: 'lost' | 'double' | 'outOfOrder' | 'acknowledgedButLost') =>
    fixed(
      peer.runs.reduce((total, { exactness }) => total + exactness[name], 0),
      0,
    )
  return [
    peer.title,
    ...figures.flatMap((figure) => {
      const cells = [valueCell(peer, figure)]
      if (figure.ratio && reference) cells.push(ratioOf(peer, figure, reference))
      return cells
    }),
    `${sum('lost')} / ${sum('double')} / ${sum('outOfOrder')}`,
    sum('acknowledgedButLost'),
  ]
}

function valueCell({ runs }: PeerResult, { name, digits }: Figure): string {
  const values = spread(runs.map(({ figures }) => figures[name] ?? Number.NaN))
  if (values === undefined) return '–'
  const { median, least, most } = values
  return runs.length === 1
    ? fixed(median, digits)
    : `${fixed(median, digits)} (${fixed(least, digits)}–${fixed(most, digits)})`
}

/** The middle of the ratios within each round, so that what else the machine did falls on both sides. */
export function ratioOf(peer: PeerResult, { name }: Pick<Figure, 'name'>, reference: PeerResult): string {
  const ratios = peer.runs.map(
    ({ figures }, round) => figures[name]! / (reference.runs[round]?.figures[name] ?? Number.NaN),
  )
  const values = spread(ratios)
  return values === undefined ? '–' : `${fixed(values.median, 2)}×`
}

/** What became of each figure since an earlier commit, as ratios within each round; empty where there is none. */
export function changes({ figures, peers }: WorkloadResult): string[] {
  return peers.flatMap((earlier) => {
    const now = peers.find(({ id }) => earlier.id.startsWith(`${id}@`))
    if (now === undefined) return []
    const parts = figures.flatMap(({ name, title }) => {
      const values = spread(now.runs.map((run, round) => run.figures[name]! / earlier.runs[round]!.figures[name]!))
      if (values === undefined) return []
      const { median, least, most } = values
      return [`${title} × ${fixed(median, 2)} (${fixed(least, 2)}–${fixed(most, 2)})`]
    })
    return [`${now.title}, since ${earlier.id.split('@')[1]}: ${parts.join(', ')}`]
  })
}

/** As lines of text, the cells aligned. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function markdown(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows.map((row) => `| ${row.join(' | ')} |`)
  return [head, `|${rows[0]!.map((_, column) => (column === 0 ? '---' : '---:')).join('|')}|`, ...body].join('\n')
}
