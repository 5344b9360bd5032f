import { holderArrived, takePoster } from './holder'

/**
 * Notes that a session has begun and says which page comes next: the venue whose poster was scanned before there was a
 * session, otherwise `usual`.
 */
export function afterArrival(usual: string): string {
  holderArrived()
  const poster = takePoster()
  const signed = poster?.split('#')[1]
  return signed ? `/v#${signed}` : usual
}
