/** Who runs this platform: `[customer]` of platform.toml, taken over at build time. */
export const customerName = import.meta.env.CUSTOMER_NAME || 'Agent platform'
