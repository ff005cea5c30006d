/** The customer's name in platform.toml, at build time. */
export const customerName = import.meta.env.CUSTOMER_NAME || 'Agent platform'
