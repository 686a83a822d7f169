import type { FromLoad, ToLoad } from '../messages.js'
import { Crowd } from './crowd.js'

/** The entry of the load process: does what its parent says, one thing after the other. */
let crowd: Crowd | undefined

const tell = (message: FromLoad) => void process.send!(message)

async function obey(order: ToLoad): Promise<void> {
  if (order.do === 'connect') {
    crowd?.close()
    crowd = new Crowd(order.plan)
    return tell({ is: 'connected', ...(await crowd.connect(order.only)) })
  }
  if (crowd === undefined) throw new Error(`Nobody is connected: ${order.do}`)
  switch (order.do) {
    case 'start':
      crowd.start()
      return tell({ is: 'started' })
    case 'count':
      return tell({ is: 'counted', ...crowd.count() })
    case 'drop':
      crowd.drop(order.stay)
      return tell({ is: 'dropped' })
    case 'return':
      return tell({ is: 'connected', ...(await crowd.return(order.anew === true)) })
    case 'write':
      await crowd.write(order.user, order.messages)
      return tell({ is: 'written' })
    case 'finish':
      return tell({ is: 'finished', ...(await crowd.finish()) })
  }
}

process.on('message', (order: ToLoad) => {
  obey(order).catch((error) => {
    console.error(error)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit(0))
