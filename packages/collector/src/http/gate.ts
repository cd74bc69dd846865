import type { Role, Subject } from './route.ts'

/** Lets requests in, or does not. The collector asks it before each route that is not open. */
export interface Gate {
  /**
   * Who asks, when they may do what takes this role.
   * @param address of the peer, as its connection says; what headers say of addresses is never believed
   * @throws ApiError 401 who asks is not known, 403 is known and may not, 429 failed too often of late
   */
  admit(request: Request, role: Role, address: string): Promise<Subject>
}
