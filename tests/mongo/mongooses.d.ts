/** Other versions of mongoose under other names: their own types are of a module called mongoose. */
declare module 'mongoose5' {
  const mongoose: typeof import('mongoose')
  export default mongoose
}

declare module 'mongoose8' {
  const mongoose: typeof import('mongoose')
  export default mongoose
}
