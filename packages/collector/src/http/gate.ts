import type { Role, Subject } from './route.ts'

/** Lets requests in, or does not. The collector asks it before each route that is not open. */
export interface Gate {
  /** It lets in whoever comes, so nobody but this machine may reach it. */
  readonly isOpen: boolean
  /** What is wrong with how it knows who may, for people; undefined while all is well. */
  readonly problem: string | undefined
  /**
   * Who asks, when they may do what takes this role.
   * @param address of the peer, as its connection says; what headers say of addresses is never believed
   * @throws ApiError 401 who asks is not known, 403 is known and may not, 429 failed too often of late
   */
  admit(request: Request, role: Role, address: string): Promise<Subject>
}
