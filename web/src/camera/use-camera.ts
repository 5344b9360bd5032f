import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'
import { prepareReader, type QrReader } from './reader'

export type CameraState = 'starting' | 'live' | 'denied' | 'missing' | 'insecure' | 'broken'

// A symbol of version 12 needs about 300 pixels; frames wider than this only cost time.
const FRAME_WIDTH_MAX = 960
// Ten looks a second: a code is read before the hand is steady, and a cheap phone stays cool.
const LOOK_MILLISECONDS = 100

interface TorchTrack extends MediaStreamTrack {
  getCapabilities(): MediaTrackCapabilities & { torch?: boolean }
}

function stateOf(error: unknown): CameraState {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError') return 'denied'
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing'
  return 'broken'
}

/**
 * Runs the rear camera into `video` while the component lives and the page is visible, and gives each text it reads to
 * `seen`. Looking pauses while `paused` is true; the picture goes on.
 */
export function useCamera(
  video: Readonly<Ref<HTMLVideoElement | null>>,
  paused: () => boolean,
  seen: (text: string) => void,
): { state: Ref<CameraState>; torch: Ref<boolean | null>; start: () => Promise<void>; switchTorch: () => Promise<void> } {
  const state = ref<CameraState>('starting')
  const torch = ref<boolean | null>(null)
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })
  let stream: MediaStream | null = null
  let timer = 0
  let gone = false

  function stop(): void {
    window.clearTimeout(timer)
    stream?.getTracks().forEach((track) => track.stop())
    stream = null
    torch.value = null
  }

  async function look(reader: QrReader): Promise<void> {
    const source = video.value
    if (!stream || !source || !context) return
    if (!paused() && source.videoWidth > 0) {
      const scale = Math.min(1, FRAME_WIDTH_MAX / source.videoWidth)
      canvas.width = Math.round(source.videoWidth * scale)
      canvas.height = Math.round(source.videoHeight * scale)
      context.drawImage(source, 0, 0, canvas.width, canvas.height)
      const texts = await reader.read(canvas, context).catch(() => [])
      const first = texts[0]
      if (first && stream && !paused()) seen(first)
    }
    timer = window.setTimeout(() => void look(reader), LOOK_MILLISECONDS)
  }

  async function start(): Promise<void> {
    stop()
    if (!navigator.mediaDevices) {
      state.value = 'insecure'
      return
    }
    state.value = 'starting'
    try {
      const opened = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: { ideal: 'environment' }, width: { ideal: 1280 }, height: { ideal: 720 } },
      })
      if (gone) {
        opened.getTracks().forEach((track) => track.stop())
        return
      }
      stream = opened
      const [track] = opened.getVideoTracks() as TorchTrack[]
      torch.value = track?.getCapabilities?.().torch ? false : null
      if (video.value) {
        video.value.srcObject = opened
        await video.value.play()
      }
      const reader = await prepareReader()
      state.value = 'live'
      await look(reader)
    } catch (error) {
      if (gone) return
      stop()
      state.value = stateOf(error)
    }
  }

  async function switchTorch(): Promise<void> {
    const track = stream?.getVideoTracks()[0]
    if (!track || torch.value === null) return
    const wanted = !torch.value
    await track.applyConstraints({ advanced: [{ torch: wanted } as MediaTrackConstraintSet] }).then(
      () => (torch.value = wanted),
      () => (torch.value = null),
    )
  }

  function followVisibility(): void {
    if (document.hidden) stop()
    else if (state.value === 'live' || state.value === 'starting') void start()
  }

  onMounted(() => {
    document.addEventListener('visibilitychange', followVisibility)
    void start()
  })
  onBeforeUnmount(() => {
    gone = true
    document.removeEventListener('visibilitychange', followVisibility)
    stop()
  })
  return { state, torch, start, switchTorch }
}
