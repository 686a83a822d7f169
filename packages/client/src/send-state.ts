import type { IMessage, MarkTuple } from '@kithwire/protocol'

/**
 * How far an entry has got, by the marks of the others (`ConversationState.marks`): `delivered` once every other member
 * has it on a device, `read` once every one of them has read it, `stored` until then. An entry of somebody else is
 * `stored`.
 *
 * @param me the user's own id; their own mark, if it is among the others, does not count
 */
export function sendState(
  message: Pick<IMessage, 'from' | 'seq'>,
  marks: readonly MarkTuple[],
  me: string,
): 'stored' | 'delivered' | 'read' {
  const others = marks.filter(([user]) => user !== me)
  if (message.from !== me || others.length === 0) return 'stored'
  if (others.every(([, , read]) => read >= message.seq)) return 'read'
  return others.every(([, delivered]) => delivered >= message.seq) ? 'delivered' : 'stored'
}
