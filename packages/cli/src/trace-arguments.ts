/**
 * What commands on trace files take: the file, and which of its traces. Apart from what reads them,
 * which only a command that runs loads.
 */
export const TRACE_ARGUMENTS = [
  { parse: String, placeholder: 'FILE', brief: 'a trace file, or - for stdin' },
  {
    parse: String,
    placeholder: 'N|ID',
    brief: "a trace's number in the list of `clew show FILE`, or a part of its id",
    optional: true,
  },
] as const
