/** Paths on a 24 × 24 grid, drawn for this app. */
export const ICONS = {
  tick: 'M4 12.5l5.5 5.5L20 7',
  warning: 'M12 3.5L22 20.5H2zM12 10v4.5M12 17.6v.1',
  info: 'M12 2.8a9.2 9.2 0 1 0 .01 0M12 11v6M12 7.3v.1',
  scan: 'M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M3 12h18',
  why: 'M12 2.8a9.2 9.2 0 1 0 .01 0M9.3 9.3a2.8 2.8 0 1 1 4.2 2.6c-.9.5-1.5 1-1.5 2M12 17v.1',
  eye: 'M2 12c3-5 6.300-7 10-7s7 2 10 7c-3 5-6.300 7-10 7s-7-2-10-7zM12 9a3 3 0 1 0 .01 0',
  pen: 'M4 20l1-5L16 4l4 4L9 19zM13.500 6.500l4 4',
  settings: 'M4 7h9M19 7h1M4 17h1M11 17h9M16 4.500a2.500 2.500 0 1 0 .01 0M8 14.500a2.500 2.500 0 1 0 .01 0',
  back: 'M15 4.500L7.500 12 15 19.500',
  torch: 'M8 3h8l-1 6H9zM10 9v11h4V9M12 13v2',
  tube: 'M9 3h6M10 3v14.500a2 2 0 0 0 4 0V3M10 11h4',
  home: 'M3 11.500L12 4l9 7.500M6 10v10h12V10M10 20v-6h4v6',
  store: 'M4 10v10h16V10M3 10l2-6h14l2 6a3 3 0 0 1-6 0 3 3 0 0 1-6 0 3 3 0 0 1-6 0zM10 20v-5h4v5',
  sound: 'M4 9.500v5h4l5 4v-13l-5 4zM16.500 9a4 4 0 0 1 0 6M19 6.500a8 8 0 0 1 0 11',
  mute: 'M4 9.500v5h4l5 4v-13l-5 4zM17 9.500l5 5M22 9.500l-5 5',
  leave: 'M10 4H5v16h5M9 12h11M16 8l4 4-4 4',
  sheet: 'M3 5.500h18v13H3zM6 9h5v6H6zM14 10h4M14 14h4',
  shield: 'M12 3l8 3v6c0 5-3.500 8-8 9.500C7.500 20 4 17 4 12V6zM8.500 12l2.500 2.500 4.500-5',
  pin: 'M12 21s7-6.500 7-12a7 7 0 0 0-14 0c0 5.500 7 12 7 12zM12 6.500a2.500 2.500 0 1 0 .01 0',
  handset: 'M7 2.500h10v19H7zM11 18.500h2',
  save: 'M12 3.500v12M7 11l5 5 5-5M4 20.500h16',
  print: 'M7 8V3.500h10V8M7 17H4V8h16v9h-3M7 14h10v6.500H7z',
} as const

export type IconName = keyof typeof ICONS
