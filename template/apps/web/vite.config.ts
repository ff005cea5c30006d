import { existsSync, globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import { parse } from 'smol-toml'
import { loadEnv } from 'vite'
import router from 'vue-router/vite'
import { defineConfig } from 'vitest/config'
import theme from './src/theme.ts'

// The folder of platform.toml and .env; containers and tests set another one.
const root = resolve(process.env.PLATFORM_ROOT || resolve(import.meta.dirname, '../..'))

interface Platform {
  customer?: { name: string }
  ports?: { api?: number; web?: number; bind?: string }
}

export default defineConfig(({ mode, command }) => {
  const env = loadEnv(mode, root, ['PORTS__', 'API_URL', 'WATCHFILES_FORCE_POLLING'])
  const { customer, ports } = readToml(resolve(root, 'platform.toml')) as Platform

  return {
    // No variable of .env may reach the browser.
    envDir: false,
    define: { 'import.meta.env.CUSTOMER_NAME': JSON.stringify(customer?.name ?? '') },
    plugins: [
      router({ routesFolder: 'src/pages', dts: false, extensions: ['.vue'] }),
      vue(),
      {
        name: 'request-timeout',
        // Half-sent requests are closed; by default the body of one may take five minutes.
        configureServer: ({ httpServer }) => {
          Object.assign(httpServer ?? {}, { headersTimeout: 20_000, requestTimeout: 30_000 })
        },
      },
      ui({
        autoImport: false,
        ui: theme,
        // Styles of used components only.
        experimental: { componentDetection: command === 'build' },
        // Icons are part of the build: browsers behind a firewall cannot fetch them.
        icon: {
          clientBundle: {
            scan: { globInclude: ['src/**/*.{vue,ts}'], globExclude: [] },
            icons: agentIcons(),
          },
        },
      }),
    ],
    server: {
      // Browser tests evaluate strings, such as those of Playwright's wait_for_function.
      headers: securityHeaders(" 'unsafe-eval'"),
      host: env.PORTS__BIND || ports?.bind || '127.0.0.1',
      port: Number(env.PORTS__WEB || ports?.web || 9001),
      strictPort: true,
      proxy: {
        '/api': {
          target: env.API_URL || `http://127.0.0.1:${env.PORTS__API || ports?.api || 9000}`,
          rewrite: (path) => path.replace(/^\/api/, ''),
          // A stream whose API was killed must end, or the page would wait for it.
          configure: (proxy) => {
            proxy.on('proxyRes', (upstream, _, response) => {
              upstream.on('close', () => upstream.complete || response.destroy())
            })
          },
        },
      },
      // Some mounts (Windows, WSL, containers) have no file events.
      watch: { usePolling: /^(1|true)$/i.test(env.WATCHFILES_FORCE_POLLING || '') },
      warmup: { clientFiles: ['src/core/app.ts', 'src/pages/**/*.vue'] },
    },
    preview: { headers: securityHeaders() },
    optimizeDeps: {
      include: [
        // Only generated code imports this: discovered late, it would reload the first page.
        'vue-router/experimental',
        // Nuxt UI is served as it is, and so would be the packages of its components, in a request
        // for each of their 700 files.
        '@nuxt/ui > reka-ui',
        '@nuxt/ui > @unhead/vue',
        '@nuxt/ui > @unhead/vue/client',
        '@nuxt/ui > tailwind-variants',
      ],
    },
    // The largest file holds all of Lucide and is loaded only for an icon that is not in the build.
    build: { target: 'es2023', chunkSizeWarningLimit: 700 },
    test: { environment: 'jsdom', include: ['src/**/*.test.ts'] },
  }
})

function readToml(path: string): Record<string, unknown> {
  return existsSync(path) ? parse(readFileSync(path, 'utf8')) : {}
}

/** The headers that Caddy sends too: lines `Name "value"` of its file. `scripts` are allowed too. */
function securityHeaders(scripts = ''): Record<string, string> {
  const text = readFileSync(resolve(import.meta.dirname, 'headers.Caddyfile'), 'utf8').replace(
    "script-src 'self'",
    `$&${scripts}`,
  )
  const lines = text.matchAll(/^\s*([\w-]+) "(.*)"$/gm)
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]))
}

/** The icons in the agents' agent.toml files, such as `lucide:megaphone`. */
function agentIcons(): string[] {
  const agents = resolve(import.meta.dirname, '../langgraph/src/agents')
  const icons = globSync('*/agent.toml', { cwd: agents }).map(
    (path) => readToml(resolve(agents, path)).icon,
  )
  return [...new Set(icons)]
    .filter((icon) => typeof icon === 'string')
    .map((icon) => `lucide:${icon}`)
}
