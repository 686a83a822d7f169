console.log('growth')
