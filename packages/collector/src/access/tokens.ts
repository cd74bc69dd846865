export { newToken, type Token, type TokenWish, USUAL_LIFE_MS } from './token.ts'
export { createToken, readTokenFile, revokeToken, TokenFileError } from './token-file.ts'
