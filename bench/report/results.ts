import type { Figure, Run } from '../workloads/workload.js'

/** What one peer did in one workload, a run for each round. */
export interface PeerResult {
  id: string
  title: string
  kithwire: boolean
  runs: Run[]
}

export interface WorkloadResult {
  id: string
  title: string
  figures: readonly Figure[]
  peers: PeerResult[]
}

/** All that a run of the bench has found out: what is written as JSON, and what every table is made of. */
export interface Results {
  /** The day, as 2026-01-31. */
  date: string
  commit: string
  machine: string
  /** Ms of an fdatasync of 4 KB where the data was, in the middle. */
  syncMs: number
  smoke: boolean
  workloads: WorkloadResult[]
}

export const sumOfFaults = ({ exactness: { lost, double, outOfOrder } }: Run): number => lost + double + outOfOrder
