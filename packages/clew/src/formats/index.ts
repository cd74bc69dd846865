export type { FormatName, FormatReader } from './format-reader.ts'
