/**
 * A message as a row of the article's collection.
 * @param {import('@kithwire/client').IMessage} message
 */
const toRow = ({ id, conversation, from, to, content, type, createdAt, seq }) => {
  return { _id: id, friend: conversation, from, to, content, type, createdAt, seq }
}

/**
 * `GET /messages/:id?friendId=`: the whole history of one friendship as its user `:id` sees it, oldest first.
 * @param {Pick<import('@kithwire/server').WsRouter, 'history'>} chat
 * @returns {import('express').RequestHandler<{ id: string }>}
 */
export const messages = (chat) => async (req, res) => {
  const { friendId } = req.query
  // A query can also hold arrays and objects, such as ?friendId[$ne]=x.
  if (typeof friendId !== 'string') return void res.status(400).json({ error: 'expected one friendId' })
  const rows = []
  try {
    for (let after = 0, more = true; more; after = rows.at(-1)?.seq ?? after) {
      const page = await chat.history(req.params.id, friendId, { after, limit: 200 })
      rows.push(...page.items.map(toRow))
      more = page.more
    }
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code !== 'not_found') throw error
    return void res.status(404).json({ error: 'no such friendship' })
  }
  res.set('X-Content-Type-Options', 'nosniff').json(rows)
}
