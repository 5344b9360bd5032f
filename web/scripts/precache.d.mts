import type { Plugin } from 'vite'

export declare function precache(): Plugin
