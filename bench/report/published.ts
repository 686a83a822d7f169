import type { Results, WorkloadResult } from './results.js'

/** A workload as documents show it: with the run that it is of. */
export type PublishedWorkload = WorkloadResult & Pick<Results, 'date' | 'commit' | 'machine' | 'syncMs'>

/** What docs/performance.json holds. */
export interface Published {
  workloads: PublishedWorkload[]
}

/** Puts what was run in the place of the same workloads, in the order of `ids`. */
export function merged(
  before: Published,
  { workloads, date, commit, machine, syncMs }: Results,
  ids: readonly string[],
): Published {
  const all = new Map(before.workloads.map((workload) => [workload.id, workload]))
  for (const workload of workloads) all.set(workload.id, { ...workload, date, commit, machine, syncMs })
  return { workloads: ids.flatMap((id) => all.get(id) ?? []) }
}
