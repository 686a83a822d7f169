import { useEffect, useState } from 'react'

type Theme = 'light' | 'dark'

const KEY = 'kithwire-demo theme'

/** The reader's choice, or until there is one, that of their system. */
export function useTheme(): [theme: Theme, toggle: () => void] {
  const system = matchMedia('(prefers-color-scheme: dark)')
  const [chosen, setChosen] = useState(() => localStorage.getItem(KEY) as Theme | null)
  const [dark, setDark] = useState(system.matches)
  useEffect(() => {
    const changed = () => setDark(system.matches)
    system.addEventListener('change', changed)
    return () => system.removeEventListener('change', changed)
  })
  const theme = chosen ?? (dark ? 'dark' : 'light')
  useEffect(() => {
    document.documentElement.dataset.theme = theme
  }, [theme])
  return [
    theme,
    () => {
      const next = theme === 'dark' ? 'light' : 'dark'
      localStorage.setItem(KEY, next)
      setChosen(next)
    },
  ]
}
