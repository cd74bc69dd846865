import { parsePicture } from './picture-path.ts'

/** `--json`: what a command tells, as one JSON value. */
export const jsonFlag = (brief: string) =>
  ({ kind: 'boolean', default: false, brief, withNegated: false }) as const

export const ASCII_FLAG = {
  kind: 'boolean',
  default: false,
  brief: 'draw with ASCII characters only',
  withNegated: false,
} as const

export const RAW_FLAG = {
  kind: 'boolean',
  default: false,
  brief: 'every entry where its own clock says: do not align the clocks of hosts',
  withNegated: false,
} as const

/** `-o`: a picture beside what is printed. */
export const PICTURE_FLAG = {
  kind: 'parsed',
  parse: parsePicture,
  optional: true,
  placeholder: 'PICTURE',
  brief: 'draw it as well, to a file ending in .png or .svg',
} as const

/** What commands on traces take: files and, last, what may be one of their traces. */
export const FILES = {
  kind: 'array',
  parameter: {
    parse: String,
    placeholder: 'FILE',
    brief:
      'trace files of any format, directories of them, or - for stdin; with --collector a filter',
  },
} as const

/** `--trace`: one of the traces of any number of files. */
export const TRACE_FLAG = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'N|ID',
  brief: 'only this trace: its number in `clew show FILE`, or a part of its id',
} as const
