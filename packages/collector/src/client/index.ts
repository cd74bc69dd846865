export type {} from '../store/answers.ts'
