/**
 * Has the browser keep both apps for opening without network, once the page itself has loaded. Where service workers
 * are missing or refused (a page without HTTPS, a private window) the app works as before, with network only.
 */
export function keepShell(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  const register = (): void => {
    navigator.serviceWorker.register('/service-worker.js').catch((error: unknown) => console.warn(error))
  }
  if (document.readyState === 'complete') register()
  else window.addEventListener('load', register, { once: true })
}
