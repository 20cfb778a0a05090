-- A file may hold several statements.
DELETE FROM orders;
INSERT INTO orders (customer, amount) VALUES ('Ada', 3), ('Ada', 4), ('Grace', 5);
