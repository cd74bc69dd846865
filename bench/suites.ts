/** The suites of `npm run bench`, in this order, with the options that keep all of them below two minutes. */
export const SUITES = {
  overhead: ['--quick', '--seconds', '10', '--concurrency', '1,100'],
  figures: ['--quick', '--seconds', '8', '--depths', '1,10,50', '--fan-outs', '1,10,50'],
  peers: ['--quick', '--rounds', '1', '--window', '0.25'],
  micro: ['--quick', '--rounds', '5'],
} as const
