import { REFERENCE } from '../peers.js'
import { fixed, spread } from './numbers.js'
import { type PeerResult, sumOfFaults, type WorkloadResult } from './results.js'

interface Goal {
  title: string
  workload: string
  figure: string
  /** As a multiple of what this peer takes in the same round; absent: in the unit of the figure. */
  of?: string
  must: number
  aim: number
  digits: number
}

const ratio = (title: string, workload: string, must: number, aim: number, figure = 'cpu', of = REFERENCE): Goal => ({
  ...{ title, workload, figure, of, must, aim },
  digits: 2,
})

/** What Kithwire is to show on SQLite with FULL, as it comes. */
const GOALS: readonly Goal[] = [
  ratio('200 users, 1 in flight, × Socket.IO relay', 'users-200', 1.2, 0.95),
  ratio('200 users, 16 in flight, × Socket.IO relay', 'in-flight-16', 0.55, 0.4),
  ratio('2,000 users, 1 in flight, × Socket.IO relay', 'users-2000', 0.75, 0.6),
  ratio('one way only, × Socket.IO relay', 'one-way', 1.7, 1.4),
  ratio('20 users, 1 in flight, × Socket.IO relay', 'users-20', 1.6, 1.4),
  ratio('200 users, × Socket.IO + SQLite FULL', 'users-200', 1 / 4.5, 1 / 6, 'cpu', 'socket.io-full'),
  { title: 'idle, KB a connection', workload: 'idle', figure: 'kilobytes', must: 9, aim: 7, digits: 1 },
  { title: 'catch-up, µs a message', workload: 'catch-up', figure: 'cpu', must: 2.5, aim: 1.6, digits: 2 },
  { title: '2,000 sockets back, ms', workload: 'storm', figure: 'ms', must: 400, aim: 300, digits: 0 },
  ratio('ack p50, 200 users, × Socket.IO relay', 'users-200', 1.5, 1.1, 'p50'),
  ratio('ack p99, 200 users, × Socket.IO relay', 'users-200', 1.5, 1.1, 'p99'),
]

const SUBJECT = 'sqlite'

/** A table of goals and what was found, the first row its head. Goals whose workload was not run are left out. */
export function goalRows(workloads: readonly WorkloadResult[]): string[][] {
  const rows = GOALS.flatMap((goal) => {
    const found = foundOf(goal, workloads)
    if (found === undefined) return []
    const { title, must, aim, digits } = goal
    const verdict = found <= aim ? 'as aimed' : found <= must ? 'yes' : '**no**'
    return [[title, fixed(found, digits), `≤ ${fixed(must, digits)}`, `≤ ${fixed(aim, digits)}`, verdict]]
  })
  const ours = workloads.flatMap(({ peers }) => peers.filter(({ kithwire }) => kithwire))
  const faults = ours.flatMap(({ runs }) => runs).reduce((sum, run) => sum + sumOfFaults(run), 0)
  const last = [
    'lost, double, out of order, in every run',
    fixed(faults, 0),
    '0',
    '0',
    faults === 0 ? 'as aimed' : '**no**',
  ]
  return [['', 'found', 'must', 'aim', 'met'], ...rows, last]
}

function foundOf({ workload: id, figure, of }: Goal, workloads: readonly WorkloadResult[]): number | undefined {
  const workload = workloads.find((each) => each.id === id)
  const subject = workload?.peers.find((peer) => peer.id === SUBJECT)
  const other = of === undefined ? undefined : workload?.peers.find((peer) => peer.id === of)
  if (subject === undefined || (of !== undefined && other === undefined)) return undefined
  const value = (peer: PeerResult, round: number) => peer.runs[round]?.figures[figure] ?? Number.NaN
  const rounds = subject.runs.map((_, round) => value(subject, round) / (other ? value(other, round) : 1))
  return spread(rounds)?.median
}
