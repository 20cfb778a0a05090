CREATE TABLE IF NOT EXISTS orders (
    customer TEXT,
    amount INTEGER
);
