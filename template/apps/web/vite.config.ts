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
  ports?: Record<string, number>
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
      host: '127.0.0.1',
      port: Number(env.PORTS__WEB || ports?.web || 9001),
      strictPort: true,
      proxy: {
        '/api': {
          target: env.API_URL || `http://127.0.0.1:${env.PORTS__API || ports?.api || 9000}`,
          rewrite: (path) => path.replace(/^\/api/, ''),
        },
      },
      // Some mounts (Windows, WSL, containers) have no file events.
      watch: { usePolling: /^(1|true)$/i.test(env.WATCHFILES_FORCE_POLLING || '') },
      warmup: { clientFiles: ['src/core/app.ts', 'src/pages/**/*.vue'] },
    },
    // Only generated code imports this: discovered late, it would reload the first page.
    optimizeDeps: { include: ['vue-router/experimental'] },
    build: { target: 'es2023' },
    test: { environment: 'jsdom', include: ['src/**/*.test.ts'] },
  }
})

function readToml(path: string): Record<string, unknown> {
  return existsSync(path) ? parse(readFileSync(path, 'utf8')) : {}
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
