/**
 * The page's code and style as text, with what a Content-Security-Policy calls them. Made of `page/`
 * by scripts/setup/page.mjs, after the compiler, so that users of the package need no bundler.
 */
export declare const PAGE: {
  readonly script: string
  readonly style: string
  /** `sha256-…` */
  readonly scriptHash: string
  readonly styleHash: string
}
