import { createPlatform } from './core/app'
import './core/styles.css'
import './brand.css'

createPlatform().mount('#app')
